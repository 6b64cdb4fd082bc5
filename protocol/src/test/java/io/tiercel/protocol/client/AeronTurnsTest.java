package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AeronTurnsTest {

    private final Messages messages = new Messages();
    private AgentInvoker invoker;

    private static final class Messages implements Agent {
        private int turnCount;
        private int openCount;

        @Override
        public int doWork() {
            turnCount++;
            if (openCount == 0) {
                return 0;
            }
            openCount--;
            return 2;
        }

        @Override
        public String roleName() {
            return "messages";
        }
    }

    @BeforeEach
    void start() {
        invoker = new AgentInvoker(failure -> {
            throw new AssertionError(failure);
        }, null, messages);
        invoker.start();
    }

    @Test
    void shouldGiveTurnsUntilThereIsNothingToDo() {
        messages.openCount = 5;
        assertEquals(10, AeronTurns.take(invoker, 100));
        assertEquals(6, messages.turnCount);
    }

    @Test
    void shouldGiveNoMoreThanIsAllowed() {
        messages.openCount = 5;
        assertEquals(6, AeronTurns.take(invoker, 3));
        assertEquals(3, messages.turnCount);
    }

    @Test
    void shouldGiveOneWhenThereIsNothingToDo() {
        assertEquals(0, AeronTurns.take(invoker, 100));
        assertEquals(1, messages.turnCount);
    }

    @Test
    void shouldDoNothingWithoutAnInvoker() {
        assertEquals(0, AeronTurns.take(null, 100));
    }
}
