package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.WelcomeDecoder;
import org.agrona.DirectBuffer;

/** Reads a frame that a validator has passed as the client does: codes as enums, texts as strings. */
public final class ClientReading {

    private ClientReading() {
    }

    /** Throws whatever the client would throw. */
    public static void read(final DirectBuffer frame) {
        final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(frame, 0);
        switch (header.templateId()) {
            case WelcomeDecoder.TEMPLATE_ID:
                Greeting.of(new WelcomeDecoder().wrapAndApplyHeader(frame, 0, header));
                break;
            case RejectDecoder.TEMPLATE_ID:
                final RejectDecoder reject = new RejectDecoder().wrapAndApplyHeader(frame, 0, header);
                Codes.rejectCode(reject.codeRaw());
                reject.detail();
                break;
            case GoodbyeDecoder.TEMPLATE_ID:
                Codes.goodbyeReason(new GoodbyeDecoder().wrapAndApplyHeader(frame, 0, header).reasonRaw());
                break;
            case ResultDecoder.TEMPLATE_ID:
                new ResultDecoder().wrapAndApplyHeader(frame, 0, header).status();
                break;
            default:
                break;
        }
    }
}
