package io.tiercel.protocol.client;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.WelcomeDecoder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A welcome, taken out of its buffer.
 */
record Greeting(
        long nonce,
        int clientId,
        int maxFrameLength,
        int maxInFlight,
        int maxSessions,
        long heartbeatTimeoutMs,
        int maxSteps,
        Durability durability,
        Overload overload,
        int retryWindow,
        int maxRatePerSecond,
        List<ModelInfo> models) {

    static Greeting of(final WelcomeDecoder welcome) {
        return new Greeting(
                welcome.nonce(),
                welcome.clientId(),
                clamp(welcome.maxFrameLength()),
                clamp(welcome.maxInFlight()),
                clamp(welcome.maxSessions()),
                welcome.heartbeatTimeoutMs(),
                welcome.maxSteps(),
                Codes.durability(welcome.durabilityRaw()),
                Codes.overload(welcome.overloadRaw()),
                clamp(welcome.retryWindow()),
                clamp(welcome.maxRatePerSecond()),
                modelsOf(welcome));
    }

    private static List<ModelInfo> modelsOf(final WelcomeDecoder welcome) {
        final List<ModelInfo> models = new ArrayList<>();
        final boolean hasTokens = welcome.actingVersion() >= Frames.TOKENS_SINCE_VERSION;
        final byte[] version = new byte[WelcomeDecoder.ModelsDecoder.modelVersionLength()];
        for (final WelcomeDecoder.ModelsDecoder model : welcome.models()) {
            model.getModelVersion(version, 0, version.length);
            models.add(new ModelInfo(
                    model.modelId(),
                    model.alias(),
                    model.featureCount(),
                    model.outputCount(),
                    HexFormat.of().formatHex(version),
                    hasTokens ? clamp(model.vocabularySize()) : 0,
                    hasTokens ? clamp(model.contextTokens()) : 0));
        }
        return List.copyOf(models);
    }

    private static int clamp(final long unsigned) {
        return (int) Math.min(unsigned, Integer.MAX_VALUE);
    }
}
