/**
 * Load and its measurement: an open-loop generator that times every request from the moment it was due, the raw Aeron
 * echo that the figures are compared with, and the hiccups of the measuring core itself.
 */
package io.tiercel.tools.load;
