package io.tiercel.ops.exporter;

import io.prometheus.metrics.model.registry.MultiCollector;

/** What an {@link Exporter} serves; called by its threads. */
public interface MetricSource extends MultiCollector {
}
