package io.tiercel.tools.chaos;

import io.tiercel.protocol.Principals;
import io.tiercel.tools.ToolException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * What one client knows, as a trading system would write it down: in memory, and appended to a file for whoever looks
 * into a failure. The clients' thread writes it; it is read when that thread has stopped.
 *
 * <pre>
 *   sent CORRELATION-ID KIND SESSION-KEY FEATURES-SEED STEPS BUDGET-NS       again if it was sent again
 *   answered CORRELATION-ID SEQUENCE STATUS OUTPUTS                          bits in hexadecimal
 *   refused CORRELATION-ID CODE
 * </pre>
 */
final class ChaosLog implements AutoCloseable {

    private final String principal;
    private final long principalId;
    private final Path file;
    private final BufferedWriter writer;
    private final List<ChaosRequest> requests = new ArrayList<>();
    private final Long2ObjectHashMap<ChaosRequest> byCorrelationId = new Long2ObjectHashMap<>();

    ChaosLog(final String principal, final Path file) {
        this.principal = principal;
        this.principalId = Principals.idOf(principal);
        this.file = file;
        try {
            writer = Files.newBufferedWriter(file, StandardCharsets.US_ASCII);
        } catch (final IOException e) {
            throw ToolException.environment("cannot write " + file + ": " + e, e);
        }
    }

    String principal() {
        return principal;
    }

    long principalId() {
        return principalId;
    }

    /** In the order in which they were first sent. */
    List<ChaosRequest> requests() {
        return requests;
    }

    /** The request with that id, or null. */
    ChaosRequest find(final long correlationId) {
        return byCorrelationId.get(correlationId);
    }

    void sent(final ChaosRequest request) {
        if (request.sentCount++ == 0) {
            requests.add(request);
            byCorrelationId.put(request.correlationId, request);
        }
        append("sent " + request.correlationId + " " + request.kind + " " + request.sessionKey + " " +
                request.featuresSeed + " " + request.stepCount + " " + request.budgetNs);
    }

    void answered(final ChaosRequest request) {
        final StringBuilder line = new StringBuilder("answered ").append(request.correlationId)
                .append(' ').append(request.sequence).append(' ').append(request.status);
        for (final int bits : request.outputs) {
            line.append(' ').append(Integer.toHexString(bits));
        }
        append(line.toString());
    }

    void refused(final ChaosRequest request) {
        append("refused " + request.correlationId + " " + request.refusal);
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (final IOException e) {
            throw ToolException.environment("cannot write " + file + ": " + e, e);
        }
    }

    private void append(final String line) {
        try {
            writer.write(line);
            writer.newLine();
        } catch (final IOException e) {
            throw ToolException.environment("cannot write " + file + ": " + e, e);
        }
    }
}
