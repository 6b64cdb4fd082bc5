package io.tiercel.tools.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What others have published of the same sizes, to stand beside what is measured here: on other machines, so it says
 * what can be reached and not who is faster.
 *
 * @param shape  as {@link EngineShape#parse} reads it; null for an answer without mathematics.
 * @param meanUs NaN where none was published.
 */
record PublishedGpuRow(String source, String shape, double meanUs, double p99Us) {

    private static final String NVIDIA = "NVIDIA dl-lowlat-infer, RTX PRO 6000 over PCIe";
    private static final String STAC = "STAC-ML, GH200, audited; its worst maximum is 9.65 medians";

    static final List<PublishedGpuRow> ALL = List.of(
            new PublishedGpuRow(NVIDIA, null, 2.4, 2.5),
            new PublishedGpuRow(NVIDIA, "160K", 3.5, 4.3),
            new PublishedGpuRow(NVIDIA, "635K", 4.7, 5.4),
            new PublishedGpuRow(NVIDIA, "16.7M", 13.2, 14.2),
            new PublishedGpuRow(STAC, "160K", Double.NaN, 4.70),
            new PublishedGpuRow(STAC, "635K", Double.NaN, 7.10),
            new PublishedGpuRow(STAC, "16.7M", Double.NaN, 15.80));

    /** NVIDIA's of the shape, or of no mathematics. */
    static Optional<PublishedGpuRow> find(final EngineShape shape) {
        return ALL.stream()
                .filter(row -> row.source.equals(NVIDIA))
                .filter(row -> shape == null ? row.shape == null : row.isOf(shape))
                .findFirst();
    }

    private boolean isOf(final EngineShape other) {
        return shape != null && EngineShape.parse(shape).equals(other);
    }

    Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("source", source);
        json.put("shape", shape == null ? "ping-pong" : EngineShape.parse(shape).title());
        json.put("meanUs", EngineReport.rounded(meanUs));
        json.put("p99Us", p99Us);
        return json;
    }
}
