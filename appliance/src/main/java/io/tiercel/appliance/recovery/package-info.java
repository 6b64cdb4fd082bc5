/** From a journal that somebody left, in whatever way, to sessions that stand where they stood. */
package io.tiercel.appliance.recovery;
