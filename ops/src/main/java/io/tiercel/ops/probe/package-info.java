/**
 * A canary among the clients: {@link io.tiercel.ops.probe.Probe} asks an appliance a question with a known answer, so
 * that other bits, a slow answer or none are noticed before a user notices them.
 */
package io.tiercel.ops.probe;
