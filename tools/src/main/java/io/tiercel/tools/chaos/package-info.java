/**
 * The crash harness: an appliance in a process of its own is killed again and again while clients send, and afterwards
 * what the clients were told is held against the journal.
 */
package io.tiercel.tools.chaos;
