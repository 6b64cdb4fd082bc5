package io.tiercel.appliance.session;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ClientCommandsTest {

    /** A command as it was read. */
    private record Command(
            int type, int clientIndex, int generation, long first, long second, long third, short code,
            short templateId, int checksum) {
    }

    private final ClientCommands commands = new ClientCommands(1024);
    private final ClientConnection client = new ClientConnection(3);
    private final List<Command> read = new ArrayList<>();

    @Test
    void shouldReadWhatWasWrittenWhenEveryFieldIsUsed() {
        client.generation = 9;
        assertTrue(commands.isEmpty());
        assertTrue(commands.offer(ClientCommands.REJECT, client, Long.MIN_VALUE, -2, Long.MAX_VALUE, (short) -1,
                (short) 0xFFFE));
        assertTrue(commands.offer(ClientCommands.HEARTBEAT, client, 5));
        assertEquals(0, commands.offeredRepeatCount());
        assertTrue(commands.offerRepeat(client, -7, Long.MAX_VALUE, Long.MIN_VALUE, (short) 0xFFFE, 0x8000_0001, -1));
        assertFalse(commands.isEmpty());
        assertEquals(1, commands.offeredRepeatCount());
        assertEquals(0, commands.readRepeatCount());

        assertEquals(3, poll(16));
        assertEquals(List.of(
                new Command(ClientCommands.REJECT, 3, 9, Long.MIN_VALUE, -2, Long.MAX_VALUE, (short) -1,
                        (short) 0xFFFE, 0),
                new Command(ClientCommands.HEARTBEAT, 3, 9, 5, 0, 0, (short) 0, (short) 0, 0),
                new Command(ClientCommands.REPEAT, 3, 9, -7, Long.MAX_VALUE, Long.MIN_VALUE, (short) -1,
                        (short) 0xFFFE, 0x8000_0001)),
                read);
        assertEquals(1, commands.readRepeatCount());
        assertTrue(commands.isEmpty());
    }

    @Test
    void shouldReadNoMoreThanTheLimitWhenThereIsMore() {
        for (int index = 0; index < 5; index++) {
            assertTrue(commands.offer(ClientCommands.HEARTBEAT, client, index));
        }
        assertEquals(2, poll(2));
        assertEquals(3, poll(16));
        assertEquals(0, poll(16));
        assertEquals(List.of(0L, 1L, 2L, 3L, 4L), read.stream().map(Command::first).toList());
    }

    @Test
    void shouldWriteNothingWhenTheQueueIsFull() {
        int written = 0;
        while (commands.offer(ClientCommands.HEARTBEAT, client, written)) {
            written++;
        }
        assertEquals(written, poll(Integer.MAX_VALUE));
        assertEquals(written, read.size());
        assertTrue(commands.offer(ClientCommands.HEARTBEAT, client, 7));
    }

    @Test
    void shouldKeepTheOrderWhenTheQueueWrapsManyTimes() {
        final Random random = new Random(3);
        long next = 0;
        for (int round = 0; round < 2_000; round++) {
            for (int count = random.nextInt(8); count > 0; count--) {
                if (commands.offer(ClientCommands.HEARTBEAT, client, next)) {
                    next++;
                }
            }
            poll(random.nextInt(8));
        }
        while (poll(16) > 0) {
            assertFalse(read.isEmpty());
        }
        assertEquals(next, read.size());
        for (int index = 0; index < read.size(); index++) {
            assertEquals(index, read.get(index).first());
        }
    }

    private int poll(final int limit) {
        return commands.poll(
                (type, clientIndex, generation, first, second, third, code, templateId, checksum) -> read.add(
                        new Command(type, clientIndex, generation, first, second, third, code, templateId, checksum)),
                limit);
    }
}
