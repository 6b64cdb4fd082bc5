/**
 * The engine's SPI: what a backend gives the pipeline, and the words both share. Everything that computes stands
 * behind {@link io.tiercel.appliance.engine.Backend}; {@code engine.reference} is the specification.
 */
package io.tiercel.appliance.engine;
