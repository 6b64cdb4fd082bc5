/**
 * A running appliance as metrics for Prometheus: {@link io.tiercel.ops.exporter.ApplianceMetrics} says which,
 * {@link io.tiercel.ops.exporter.Exporter} serves them.
 */
package io.tiercel.ops.exporter;
