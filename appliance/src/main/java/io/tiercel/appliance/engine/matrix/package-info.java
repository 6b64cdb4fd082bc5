/**
 * Matrices of integers as a bundle holds them, validated: what every family of models and every backend shares. Not on
 * a hot path.
 */
package io.tiercel.appliance.engine.matrix;
