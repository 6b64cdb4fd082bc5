package io.tiercel.tools.system;

import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.ResponseHandler;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/**
 * A trading system in a process of its own. Sends the same features to a few sessions in turn, a handful in flight,
 * and prints a line for whatever a test may wait for:
 *
 * <pre>
 *   connected client=0 model=flow
 *   first session=2 outputs=3f80.. ..         each session's first answer in this process, bit for bit
 *   answered=500 sequence=611                 now and then
 *   refused code=JOURNAL_UNAVAILABLE detail=..
 *   disconnected cause=..                     then:
 *   sending-returns=CLOSED
 *   done answered=1000 sequence=1234          with the highest sequence that was answered
 * </pre>
 *
 * <p>Arguments: {@code --aeron-dir}, {@code --principal}, {@code --key}, {@code --requests} (0: until standard input
 * closes or the connection ends), {@code --until-refused true}. Exit code 0 unless it cannot connect or loses an
 * answer.
 */
public final class SystemClient implements ResponseHandler {

    private static final int SESSION_COUNT = 4;
    private static final int IN_FLIGHT = 8;
    private static final int PROGRESS_INTERVAL = 500;
    private static final int POLL_LIMIT = 32;
    private static final long DRIVER_TIMEOUT_MS = 2_000;

    private final Set<Long> seenSessions = new HashSet<>();
    private long sentCount;
    private long answeredCount;
    private long lastSequence = -1;
    private boolean isRefused;
    private boolean isDisconnected;
    private volatile boolean isInputClosed;

    private SystemClient() {
    }

    public static void main(final String[] arguments) {
        final Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        System.exit(new SystemClient().run(options) ? 0 : 1);
    }

    private boolean run(final Map<String, String> options) {
        watchInput();
        final ClientContext context = new ClientContext()
                .aeronDirectoryName(options.get("--aeron-dir"))
                .principal(options.get("--principal"))
                .keyFile(options.get("--key"))
                .driverTimeoutMs(DRIVER_TIMEOUT_MS)
                .connectTimeoutNs(TimeUnit.SECONDS.toNanos(20));
        try (TiercelClient client = TiercelClient.connect(context)) {
            final ModelInfo model = client.models().get(0);
            System.out.println("connected client=" + client.clientId() + " model=" + model.alias());
            exchange(client, model, Long.parseLong(options.getOrDefault("--requests", "0")),
                    options.containsKey("--until-refused"));
            if (isDisconnected) {
                System.out.println("disconnected cause=" + client.disconnectCause());
                System.out.println("sending-returns=" + sentinel(client.infer(model.modelId(), 0, features(model), 0)));
            }
        } catch (final TiercelClientException ex) {
            System.err.println("no connection: " + ex.getMessage());
            return false;
        }
        System.out.println("done answered=" + answeredCount + " sequence=" + lastSequence);
        return isDisconnected || isRefused || answeredCount == sentCount;
    }

    private void exchange(
            final TiercelClient client, final ModelInfo model, final long requestCount, final boolean untilRefused) {
        final IdleStrategy idle = new BackoffIdleStrategy();
        final float[] features = features(model);
        while (!isDisconnected && !(untilRefused && isRefused) && !(isInputClosed && client.inFlight() == 0)
                && !(requestCount > 0 && answeredCount >= requestCount)) {
            int work = client.poll(this, POLL_LIMIT);
            final boolean isMoreWanted = !isInputClosed && (requestCount == 0 || sentCount < requestCount);
            if (isMoreWanted && client.inFlight() < IN_FLIGHT
                    && client.infer(model.modelId(), sentCount % SESSION_COUNT, features, 0) > 0) {
                sentCount++;
                work++;
            }
            idle.idle(work);
        }
    }

    @Override
    public void onResult(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final ResultStatus status,
            final int applianceNs,
            final int batchSize,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        answeredCount++;
        lastSequence = sequence;
        if (seenSessions.add(sessionKey)) {
            final StringBuilder text = new StringBuilder();
            for (int i = 0; i < outputCount; i++) {
                final int bits = outputs.getInt(offset + i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
                text.append(i == 0 ? "" : " ").append(Integer.toHexString(bits));
            }
            System.out.println("first session=" + sessionKey + " outputs=" + text);
        }
        if (answeredCount % PROGRESS_INTERVAL == 0) {
            System.out.println("answered=" + answeredCount + " sequence=" + sequence);
        }
    }

    @Override
    public void onChunk(
            final long correlationId,
            final long sessionKey,
            final long sequence,
            final int stepIndex,
            final DirectBuffer outputs,
            final int offset,
            final int outputCount) {
        throw new IllegalStateException("no chunks were asked for");
    }

    @Override
    public void onReject(
            final long correlationId,
            final RejectCode code,
            final long offendingValue,
            final long allowedValue,
            final String detail) {
        if (!isRefused) {
            System.out.println("refused code=" + code + " detail=" + detail);
        }
        isRefused = true;
    }

    @Override
    public void onGoodbye(final GoodbyeReason reason) {
        System.out.println("goodbye reason=" + reason);
    }

    @Override
    public void onDisconnect() {
        isDisconnected = true;
    }

    /** The whole number behind a name in one of the lines that processes print. */
    static long valueOf(final String line, final String name) {
        final int begin = line.indexOf(name) + name.length();
        return Long.parseLong(line.substring(begin).split(" ", 2)[0]);
    }

    private static float[] features(final ModelInfo model) {
        final float[] features = new float[model.featureCount()];
        for (int i = 0; i < features.length; i++) {
            features[i] = 0.25f * i - 1;
        }
        return features;
    }

    private static String sentinel(final long returned) {
        if (returned == TiercelClient.CLOSED) {
            return "CLOSED";
        }
        return returned == TiercelClient.NOT_CONNECTED ? "NOT_CONNECTED" : Long.toString(returned);
    }

    /** Whoever started this process is gone or wants its end. */
    private void watchInput() {
        final Thread watcher = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    continue;
                }
            } catch (final java.io.IOException ex) {
                System.err.println("standard input: " + ex.getMessage());
            }
            isInputClosed = true;
        }, "standard-input");
        watcher.setDaemon(true);
        watcher.start();
    }
}
