package io.tiercel.appliance.egress;

/** A known request that has come again, and who wants its answer. Filled again and again. */
final class Repeat {

    int clientIndex;
    int generation;
    long correlationId;
    /** Of the first request. */
    long sequence;
    /** Where the first request's answer is kept. */
    long position;
    short templateId;
    int frameChecksum;
    /** Of the generation that the request is a part of, or -1. */
    int generationIndex;

    void copyFrom(final Repeat other) {
        clientIndex = other.clientIndex;
        generation = other.generation;
        correlationId = other.correlationId;
        sequence = other.sequence;
        position = other.position;
        templateId = other.templateId;
        frameChecksum = other.frameChecksum;
        generationIndex = other.generationIndex;
    }
}
