/** Sends what goes to clients; the only writer of every client's publication. */
package io.tiercel.appliance.egress;
