/** Aeron's own work inside our duty cycle, and the raw echo that latency is compared with. */
package io.tiercel.appliance.transport;
