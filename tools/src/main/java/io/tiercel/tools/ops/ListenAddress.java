package io.tiercel.tools.ops;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code PORT}, on the loopback interface, or {@code HOST:PORT}. */
final class ListenAddress implements ITypeConverter<InetSocketAddress> {

    private static final int MAX_PORT = 65_535;

    @Override
    public InetSocketAddress convert(final String text) {
        final int colon = text.lastIndexOf(':');
        try {
            final int port = Integer.parseInt(text.substring(colon + 1));
            if (port < 0 || port > MAX_PORT) {
                throw new TypeConversionException("'" + text + "': a port is 0 to " + MAX_PORT);
            }
            final String host = text.substring(0, Math.max(0, colon)).replaceAll("^\\[|]$", "");
            return new InetSocketAddress(
                    host.isEmpty() ? InetAddress.getLoopbackAddress() : InetAddress.getByName(host), port);
        } catch (final NumberFormatException ex) {
            throw new TypeConversionException("'" + text + "' is neither PORT nor HOST:PORT");
        } catch (final UnknownHostException ex) {
            throw new TypeConversionException("'" + text + "': there is no such host");
        }
    }

    /** Of the metrics that are served there. */
    static String urlOf(final InetSocketAddress address, final int port) {
        return "http://" + hostOf(address) + ":" + port + "/metrics";
    }

    /** As it stands in a URL. */
    static String hostOf(final InetSocketAddress address) {
        final String host = address.getAddress().getHostAddress();
        return host.contains(":") ? "[" + host + "]" : host;
    }
}
