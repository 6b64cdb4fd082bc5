package io.tiercel.appliance.routing;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.AdministerEncoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectEncoder;
import io.tiercel.protocol.wire.VersionsEncoder;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** Writes what administrators are told and nobody else is. Allocates: administrators are few, and ask seldom. */
public final class AdminAnswers {

    /** Of a refusal's reason; what is longer is cut. */
    public static final int MAX_TEXT_LENGTH = 512;

    private AdminAnswers() {
    }

    /** A refusal whose reason is more than numbers. */
    public static DirectBuffer refusal(
            final long correlationId, final RejectCode code, final long offendingValue, final String reason) {
        final String ascii = reason.replaceAll("[^ -~]", "?");
        final String text = ascii.substring(0, Math.min(ascii.length(), MAX_TEXT_LENGTH));
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[Frames.HEADER_LENGTH + RejectEncoder.BLOCK_LENGTH +
                RejectEncoder.detailHeaderLength() + text.length()]);
        new RejectEncoder().wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .offendingValue(offendingValue)
                .allowedValue(0)
                .code(code)
                .templateId(AdministerEncoder.TEMPLATE_ID)
                .detail(text);
        return frame;
    }

    /**
     * The versions of some models.
     *
     * @param isAsked      by model: whether it is one of them.
     * @param sequence     of the last request whose effect is in it.
     * @param sessionCount of a version.
     */
    public static DirectBuffer versions(
            final long correlationId,
            final long sequence,
            final Routes routes,
            final List<LoadedModel> versions,
            final boolean[] isAsked,
            final IntUnaryOperator sessionCount) {
        final List<LoadedModel> asked = versions.stream()
                .filter(version -> routes.isKnown(version.index()) && isAsked[version.modelId()]).toList();
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[Frames.versionsLength(asked.size())]);
        final VersionsEncoder.ServedEncoder served = new VersionsEncoder()
                .wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder())
                .correlationId(correlationId)
                .sequence(sequence)
                .servedCount(asked.size());
        for (final LoadedModel version : asked) {
            served.next()
                    .modelId(version.modelId())
                    .weight(routes.weight(version.index()))
                    .formerWeight(routes.formerWeight(version.index()))
                    .sessionCount(sessionCount.applyAsInt(version.index()))
                    .putModelVersion(version.versionBytes(), 0, LoadedModel.VERSION_LENGTH);
            served.flags().clear().drained(routes.isDrained(version.index()));
        }
        return frame;
    }
}
