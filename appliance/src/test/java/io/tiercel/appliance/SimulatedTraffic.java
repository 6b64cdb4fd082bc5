package io.tiercel.appliance;

import io.tiercel.appliance.SimulatedPrincipal.Request;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GenerateEncoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;

/** Requests of every kind: steps, streams, budgets, resets, and some that are to be refused. */
final class SimulatedTraffic {

    private static final int MAX_TOKENS = 6;

    private final List<LoadedModel> models;
    private final int sessionKeyCount;
    private final SplittableRandom random;
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();

    SimulatedTraffic(final List<LoadedModel> models, final int sessionKeyCount, final SplittableRandom random) {
        this.models = models;
        this.sessionKeyCount = sessionKeyCount;
        this.random = random;
    }

    Request next(final SimulatedPrincipal principal) {
        final long correlationId = principal.nextCorrelationId();
        final int modelIndex = random.nextInt(models.size());
        final long sessionKey = random.nextInt(sessionKeyCount);
        return switch (random.nextInt(12)) {
            case 0 -> reset(correlationId, modelIndex, sessionKey);
            case 1 -> fork(correlationId, modelIndex, sessionKey);
            case 2, 3 -> models.get(modelIndex).model().shape().namesTokens()
                    ? generate(correlationId, modelIndex, sessionKey)
                    : infer(correlationId, modelIndex, sessionKey);
            default -> infer(correlationId, modelIndex, sessionKey);
        };
    }

    private Request fork(final long correlationId, final int modelIndex, final long sessionKey) {
        final byte[] frame = new byte[Frames.FORK_SESSION_LENGTH];
        new ForkSessionEncoder()
                .wrapAndApplyHeader(new UnsafeBuffer(frame), 0, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sourceKey(random.nextInt(sessionKeyCount))
                .modelId(modelIndex);
        final Request request = new Request(correlationId, frame, 0, false, false, false);
        request.isFork = true;
        return request;
    }

    private Request generate(final long correlationId, final int modelIndex, final long sessionKey) {
        final int vocabularySize = models.get(modelIndex).model().shape().vocabularySize();
        final int tokenCount = 1 + random.nextInt(SimulationPlan.MAX_STEPS);
        final int stopCount = random.nextInt(3);
        final int maxTokens = 1 + random.nextInt(MAX_TOKENS);
        final byte[] frame = new byte[Frames.generateLength(tokenCount, stopCount)];
        final GenerateEncoder generate = new GenerateEncoder()
                .wrapAndApplyHeader(new UnsafeBuffer(frame), 0, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .budgetNs(0)
                .seed(random.nextLong())
                .temperature(random.nextInt(2))
                .modelId(modelIndex)
                .tokenCount(tokenCount)
                .maxTokens(maxTokens)
                .madeTokens(0)
                .topTokens(random.nextInt(4))
                .stopCount(stopCount);
        generate.putTokens(tokens(tokenCount, vocabularySize), 0, tokenCount * Integer.BYTES);
        generate.putStopTokens(tokens(stopCount, vocabularySize), 0, stopCount * Integer.BYTES);
        final Request request = new Request(correlationId, frame, tokenCount, false, false, false);
        request.maxTokens = maxTokens;
        return request;
    }

    private byte[] tokens(final int count, final int vocabularySize) {
        final byte[] bytes = new byte[count * Integer.BYTES];
        for (int index = 0; index < count; index++) {
            new UnsafeBuffer(bytes).putInt(
                    index * Integer.BYTES, random.nextInt(vocabularySize), ByteOrder.LITTLE_ENDIAN);
        }
        return bytes;
    }

    private Request reset(final long correlationId, final int modelIndex, final long sessionKey) {
        final byte[] frame = new byte[Frames.RESET_SESSION_LENGTH];
        final boolean isBad = random.nextInt(30) == 0;
        new ResetSessionEncoder()
                .wrapAndApplyHeader(new UnsafeBuffer(frame), 0, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .modelId(isBad ? models.size() : modelIndex);
        return new Request(correlationId, frame, 0, false, false, isBad);
    }

    private Request infer(final long correlationId, final int modelIndex, final long sessionKey) {
        final ModelShape shape = models.get(modelIndex).model().shape();
        final int stepCount = random.nextInt(3) == 0 ? 1 + random.nextInt(SimulationPlan.MAX_STEPS) : 1;
        final boolean isStreamed = random.nextBoolean();
        final boolean isBad = random.nextInt(30) == 0;
        final int floatCount = stepCount * shape.featureCount();
        final byte[] frame = new byte[Frames.inferLength(floatCount)];
        final UnsafeBuffer buffer = new UnsafeBuffer(frame);
        final long budgetNs = budgetNs();
        final InferEncoder infer = new InferEncoder()
                .wrapAndApplyHeader(buffer, 0, header)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .budgetNs(budgetNs)
                .modelId(modelIndex)
                .stepCount(stepCount)
                .featureCount(shape.featureCount());
        infer.flags().clear().stream(isStreamed);
        buffer.putInt(infer.limit(), floatCount * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        for (int index = 0; index < floatCount; index++) {
            final int cell = shape.hasTokens()
                    ? random.nextInt(shape.vocabularySize())
                    : Float.floatToRawIntBits((float) random.nextDouble() * 4 - 2);
            buffer.putInt(Frames.FEATURES_OFFSET + index * Float.BYTES, cell, ByteOrder.LITTLE_ENDIAN);
        }
        if (isBad && shape.hasTokens() && random.nextBoolean()) {
            buffer.putInt(Frames.FEATURES_OFFSET + random.nextInt(stepCount) * Integer.BYTES,
                    shape.vocabularySize() + random.nextInt(1_000_000), ByteOrder.LITTLE_ENDIAN);
        } else if (isBad) {
            spoil(infer, buffer);
        }
        return new Request(correlationId, frame, stepCount, isStreamed, budgetNs > 0, isBad);
    }

    private long budgetNs() {
        return random.nextInt(3) == 0 ? PipelineHarness.ROUND_NS * (1 + random.nextInt(10)) : 0;
    }

    private void spoil(final InferEncoder infer, final UnsafeBuffer buffer) {
        switch (random.nextInt(4)) {
            case 0 -> infer.modelId(models.size() + random.nextInt(100));
            case 1 -> infer.stepCount(0);
            case 2 -> buffer.putFloat(Frames.FEATURES_OFFSET, Float.NaN, ByteOrder.LITTLE_ENDIAN);
            default -> infer.featureCount(999);
        }
    }
}
