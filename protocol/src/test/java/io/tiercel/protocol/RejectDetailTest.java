package io.tiercel.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.protocol.wire.RejectCode;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class RejectDetailTest {

    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[3 + RejectDetail.MAX_LENGTH]);

    @Test
    void shouldNameBothValuesWhenThereIsARightOne() {
        assertEquals("frameLength=5000 maxFrameLength=4096", put(RejectCode.FRAME_TOO_LONG, 5000, 4096));
    }

    @Test
    void shouldNameOneValueWhenThereIsNoRightOne() {
        assertEquals("featureIndex=7", put(RejectCode.NON_FINITE_FEATURE, 7, 0));
    }

    @Test
    void shouldNameTheStepWhenOneIsToBlame() {
        final int length = RejectDetail.putOfStep(RejectCode.TOKEN_OUT_OF_VOCABULARY, 2, 99, 64, buffer, 3);
        assertEquals("step=2 token=99 vocabularySize=64", buffer.getStringWithoutLengthAscii(3, length));
        final int longest = RejectDetail.putOfStep(
                RejectCode.TOKEN_OUT_OF_VOCABULARY, 65_535, 0xFFFF_FFFFL, 1 << 18, buffer, 3);
        assertTrue(longest <= RejectDetail.MAX_LENGTH);
    }

    @Test
    void shouldKeepToItsLengthWhateverTheValues() {
        for (final RejectCode code : RejectCode.values()) {
            if (code != RejectCode.NULL_VAL) {
                final String detail = put(code, Long.MIN_VALUE, Long.MIN_VALUE);
                assertTrue(detail.contains("=-9223372036854775808"), detail);
                assertTrue(detail.length() <= RejectDetail.MAX_LENGTH, detail);
            }
        }
    }

    private String put(final RejectCode code, final long offendingValue, final long allowedValue) {
        final int length = RejectDetail.put(code, offendingValue, allowedValue, buffer, 3);
        return buffer.getStringWithoutLengthAscii(3, length);
    }
}
