package io.tiercel.ops.desk;

/**
 * One of the appliance's counters, as it stands in Aeron's counters file.
 *
 * @param name        in lower case with hyphens, {@code frames-refused}.
 * @param description a few words.
 */
public record Counter(String name, String description, long value) {
}
