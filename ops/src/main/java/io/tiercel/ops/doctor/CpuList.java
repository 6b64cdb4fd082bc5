package io.tiercel.ops.doctor;

import java.util.BitSet;

/** Lists of processors as kernels write them: {@code 0-3,8,10-11}. */
final class CpuList {

    private CpuList() {
    }

    /** Whatever is no number or range is left out; null is an empty list. */
    static BitSet parse(final String text) {
        final BitSet processors = new BitSet();
        if (text == null) {
            return processors;
        }
        for (final String part : text.strip().split(",")) {
            if (part.matches("\\d{1,5}(-\\d{1,5})?")) {
                final int dash = part.indexOf('-');
                final int first = Integer.parseInt(dash < 0 ? part : part.substring(0, dash));
                final int last = Integer.parseInt(part.substring(dash + 1));
                if (first <= last) {
                    processors.set(first, last + 1);
                }
            }
        }
        return processors;
    }

    static String text(final BitSet processors) {
        final StringBuilder text = new StringBuilder();
        for (int first = processors.nextSetBit(0); first >= 0;) {
            final int end = processors.nextClearBit(first);
            text.append(text.isEmpty() ? "" : ",").append(first);
            if (end - first > 1) {
                text.append('-').append(end - 1);
            }
            first = processors.nextSetBit(end);
        }
        return text.toString();
    }
}
