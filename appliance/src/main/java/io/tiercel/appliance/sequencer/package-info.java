/** The ring: one order for everything, and the memory in which a request travels from stage to stage. */
package io.tiercel.appliance.sequencer;
