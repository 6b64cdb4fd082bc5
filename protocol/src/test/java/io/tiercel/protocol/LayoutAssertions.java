package io.tiercel.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** What README.md's tables say of a message, against its generated codec. */
final class LayoutAssertions {

    /** The fixed block begins here; the codecs count from there, the tables from the message's first byte. */
    private static final int HEADER = 8;

    private LayoutAssertions() {
    }

    static void assertMessage(
            final int expectedTemplateId, final int expectedBlockLength, final int templateId, final int blockLength) {
        assertEquals(expectedTemplateId, templateId);
        assertEquals(expectedBlockLength, blockLength);
    }

    static void assertField(
            final int expectedOffset, final int expectedLength, final int encodingOffset, final int encodingLength) {
        assertEquals(expectedOffset, HEADER + encodingOffset);
        assertEquals(expectedLength, encodingLength);
    }
}
