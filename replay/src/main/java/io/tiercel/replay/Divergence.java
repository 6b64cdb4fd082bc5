package io.tiercel.replay;

/**
 * The first bit that was different. What the journal holds is expected, what was computed again is actual.
 *
 * @param principalId  as in the records: the first 8 bytes of the principal's SHA-256.
 * @param field        the outcome's field, with the index for outputs: {@code outputs[2]}.
 * @param expectedHex  the bits in the journal.
 * @param actualHex    the bits computed again.
 * @param expected     the same for people: a float, a number, a status.
 */
public record Divergence(
        long sequence,
        long principalId,
        long sessionKey,
        String modelVersion,
        long correlationId,
        String field,
        String expectedHex,
        String actualHex,
        String expected,
        String actual) {

    @Override
    public String toString() {
        return "sequence=" + sequence +
                " session=" + String.format("%016x", principalId) + "/" + sessionKey +
                " field=" + field +
                " expected=" + expectedHex + " (" + expected + ")" +
                " actual=" + actualHex + " (" + actual + ")";
    }
}
