package io.tiercel.protocol.client;

import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectCode;

/** Codes off the wire: one that a later appliance may have added reads as NULL_VAL, it does not throw. */
final class Codes {

    private Codes() {
    }

    static RejectCode rejectCode(final int raw) {
        return raw >= RejectCode.MALFORMED_FRAME.value() && raw <= RejectCode.SELF_TEST_FAILED.value()
                ? RejectCode.get(raw)
                : RejectCode.NULL_VAL;
    }

    static Durability durability(final int raw) {
        return raw <= Durability.DISK.value() ? Durability.get((short) raw) : Durability.NULL_VAL;
    }

    static Overload overload(final int raw) {
        return raw <= Overload.SHED.value() ? Overload.get((short) raw) : Overload.NULL_VAL;
    }

    static GoodbyeReason goodbyeReason(final int raw) {
        return raw <= GoodbyeReason.ACCESS_REVOKED.value() ? GoodbyeReason.get((short) raw) : GoodbyeReason.NULL_VAL;
    }
}
