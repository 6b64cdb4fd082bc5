/** The duty cycle: what one thread does, round after round, whatever stages it has been given. */
package io.tiercel.appliance.cycle;
