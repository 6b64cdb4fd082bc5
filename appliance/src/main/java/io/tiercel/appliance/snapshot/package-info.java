/** All sessions' states at one sequence: how they are cut out of a running pipeline, written, read and kept. */
package io.tiercel.appliance.snapshot;
