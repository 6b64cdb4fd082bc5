package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;

/** Codes off the wire: one that a later appliance may have added reads as NULL_VAL, it does not throw. */
final class Codes {

    private Codes() {
    }

    static RejectCode rejectCode(final int raw) {
        return raw >= RejectCode.MALFORMED_FRAME.value() && raw <= RejectCode.UNKNOWN_FLAGS.value()
                ? RejectCode.get(raw)
                : RejectCode.NULL_VAL;
    }

    static GoodbyeReason goodbyeReason(final int raw) {
        return raw <= GoodbyeReason.IDLE.value() ? GoodbyeReason.get((short) raw) : GoodbyeReason.NULL_VAL;
    }
}
