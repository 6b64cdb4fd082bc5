/**
 * The engine's SPI: what a backend gives the pipeline, and the words both share. Everything that computes stands
 * behind {@link io.tiercel.appliance.engine.Backend}; {@code engine.lstm} has what the backends of that family read
 * from a bundle, {@code engine.reference} is the specification.
 */
package io.tiercel.appliance.engine;
