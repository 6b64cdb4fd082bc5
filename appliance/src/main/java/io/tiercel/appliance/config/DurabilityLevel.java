package io.tiercel.appliance.config;

/** What a request survives once it has been answered. */
public enum DurabilityLevel {

    /** The death of the process: it is in the page cache, in a memory-mapped file. */
    PROCESS,

    /** The death of the machine: it is on the device, written through before the answer leaves. */
    DISK
}
