/**
 * Tokens made one by one. A client's Generate is taken as a request that makes one token; with that token the appliance
 * itself writes the next request, and so on to the last. Each is a record of the journal that says all that it needs,
 * so neither replay nor recovery nor a snapshot knows of generations: only ingress, which writes the next request
 * ({@code ingress.Generations}), and egress, which tells it what was made
 * ({@link io.tiercel.appliance.generation.GenerationProgress}).
 */
package io.tiercel.appliance.generation;
