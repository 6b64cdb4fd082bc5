package io.tiercel.protocol.client;

import org.agrona.concurrent.AgentInvoker;

/**
 * Turns of Aeron's own agents on a thread that has other things to do. A client's conductor takes in one message of its
 * driver's a turn, and the driver tells everybody of everybody: some ten messages for each connection that comes and
 * goes. Whoever falls behind by the length of the driver's buffer, 1 MiB, is told nothing any more and has lost his
 * client. So a thread that gives a turn rarely has to give as many as there is work for.
 */
public final class AeronTurns {

    private AeronTurns() {
    }

    /**
     * Gives turns until one finds nothing to do.
     *
     * @param invoker  null for none.
     * @param maxTurns at most.
     * @return what was done in all of them.
     */
    public static int take(final AgentInvoker invoker, final int maxTurns) {
        int workCount = 0;
        if (invoker != null) {
            int turns = 0;
            int done;
            do {
                done = invoker.invoke();
                workCount += done;
                turns++;
            } while (done > 0 && turns < maxTurns);
        }
        return workCount;
    }
}
