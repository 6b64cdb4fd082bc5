package io.tiercel.appliance;

import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteOrder;
import java.util.Random;

/** Requests of every kind from one client, the same ones for the same seed. */
final class RandomTraffic {

    private static final int SESSION_COUNT = 5;
    private static final int MAX_MODELS = 8;
    private static final int RESET = 0;
    private static final int FORK = 1;
    private static final int MAX_STEPS = 4;
    private static final int MAX_FEATURES = 64;

    private final Random random;
    private final TiercelClient client;
    private final boolean hasBudgets;
    private final UnsafeBuffer features = new UnsafeBuffer(new byte[MAX_STEPS * MAX_FEATURES * Float.BYTES]);
    /** By model and session key: whether a request of it has been sent. */
    private final boolean[][] isThere = new boolean[MAX_MODELS][SESSION_COUNT];
    private boolean hasForks = true;
    private long sourceKey;
    private boolean isReady;
    private ModelInfo model;
    private long sessionKey;
    private int kind;
    private int stepCount;
    private long budgetNs;
    private boolean isStreamed;

    /**
     * A session that may have been evicted is not copied: then the one that was used last is.
     *
     * @param hasBudgets whether some requests may expire, which depends on when they come to be computed.
     */
    RandomTraffic(final long seed, final TiercelClient client, final boolean hasBudgets) {
        random = new Random(seed);
        this.client = client;
        this.hasBudgets = hasBudgets;
    }

    /** Several clients whose sessions may be evicted: nobody knows whether there is one to be copied. */
    RandomTraffic withoutForks() {
        hasForks = false;
        return this;
    }

    /** Sends the next request; false if there is no room now, and the same request is tried the next time. */
    boolean sendNext() {
        if (!isReady) {
            next();
        }
        final long correlationId = send();
        isReady = correlationId < 0;
        if (correlationId < 0 && correlationId != TiercelClient.BACK_PRESSURED) {
            throw new AssertionError("sentinel=" + correlationId);
        }
        return correlationId > 0;
    }

    private long send() {
        if (kind == RESET) {
            return client.resetSession(model.modelId(), sessionKey);
        }
        return kind == FORK
                ? client.forkSession(model.modelId(), sessionKey, sourceKey)
                : client.infer(model.modelId(), sessionKey, features, 0, stepCount, budgetNs, isStreamed);
    }

    private void next() {
        isReady = true;
        final boolean mayBeEvicted = client.maxSessions() < SESSION_COUNT * client.models().size();
        final ModelInfo lastModel = model;
        final long lastKey = sessionKey;
        model = client.models().get(random.nextInt(client.models().size()));
        sessionKey = random.nextInt(SESSION_COUNT);
        sourceKey = random.nextInt(SESSION_COUNT);
        kind = random.nextInt(8);
        if (kind == FORK && mayBeEvicted) {
            model = lastModel == null ? model : lastModel;
            sourceKey = lastKey;
        }
        if (kind == FORK && !(hasForks && isThere[model.modelId()][(int) sourceKey] && client.maxSessions() > 1)) {
            kind = RESET;
        }
        isThere[model.modelId()][(int) sessionKey] = true;
        stepCount = random.nextInt(3) == 0 ? 1 + random.nextInt(MAX_STEPS) : 1;
        isStreamed = random.nextBoolean();
        budgetNs = hasBudgets && random.nextInt(3) == 0 ? PipelineHarness.ROUND_NS * (1 + random.nextInt(4)) : 0;
        for (int index = 0; index < stepCount * model.featureCount(); index++) {
            if (model.hasTokens()) {
                features.putInt(index * Float.BYTES, random.nextInt(model.vocabularySize()), ByteOrder.LITTLE_ENDIAN);
            } else {
                features.putFloat(index * Float.BYTES, random.nextFloat() * 4 - 2, ByteOrder.LITTLE_ENDIAN);
            }
        }
    }
}
