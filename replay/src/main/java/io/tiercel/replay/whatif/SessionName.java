package io.tiercel.replay.whatif;

import java.util.HexFormat;

/** A session as clients name it; of one model. */
public record SessionName(long principalId, long sessionKey) {

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(principalId) + "/" + sessionKey;
    }
}
