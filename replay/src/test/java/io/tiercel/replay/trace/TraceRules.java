package io.tiercel.replay.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Holds a trace against the rules of the Trace Event Format, as Perfetto's reader applies them: it sorts by time,
 * keeping the order of the file, and keeps a stack for each track, which it knows by its thread id alone.
 */
final class TraceRules {

    private final Map<String, Deque<JsonNode>> open = new HashMap<>();
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, List<String>> arrows = new HashMap<>();
    private final List<JsonNode> begun = new ArrayList<>();
    private final Map<String, JsonNode> processes = new HashMap<>();
    private final Set<String> used = new HashSet<>();
    private final Map<String, BigDecimal> free = new HashMap<>();

    /** Whoever finds something asserts it. */
    static TraceRules check(final JsonNode trace) {
        final List<JsonNode> sorted = new ArrayList<>();
        trace.get("traceEvents").forEach(sorted::add);
        sorted.sort(Comparator.comparing(TraceRules::time));
        final TraceRules rules = new TraceRules();
        sorted.forEach(rules::read);
        rules.finish();
        return rules;
    }

    /** Of the tracks of threads. */
    Set<String> names() {
        return new HashSet<>(names.values());
    }

    int arrowCount() {
        return arrows.size();
    }

    long begun(final String prefix, final int processId) {
        return begun.stream().filter(event -> event.get("pid").asInt() == processId &&
                event.get("name").asText().startsWith(prefix)).count();
    }

    private void finish() {
        open.values().forEach(stack -> assertTrue(stack.isEmpty(), stack::toString));
        assertTrue(free.isEmpty(), free::toString);
        arrows.forEach((id, phases) -> assertEquals(List.of("s", "t", "f"), phases, id));
        used.forEach(track -> assertNotNull(names.get(track), track));
    }

    private void read(final JsonNode event) {
        assertTrue(time(event).signum() >= 0, event::toString);
        final String track = event.get("tid").asText();
        assertEquals(event.get("pid"), processes.computeIfAbsent(track, ignored -> event.get("pid")), track);
        final Deque<JsonNode> stack = open.computeIfAbsent(track, ignored -> new ArrayDeque<>());
        switch (event.get("ph").asText()) {
            case "B" -> {
                stack.push(event);
                begun.add(event);
                used.add(track);
            }
            case "E" -> assertNotNull(stack.poll(), event::toString);
            case "b" -> free.put(event.get("cat").asText() + event.get("id").asText(), time(event));
            case "e" -> assertTrue(free.remove(event.get("cat").asText() + event.get("id").asText())
                    .compareTo(time(event)) <= 0, event::toString);
            case "s", "t", "f" -> {
                assertEquals(time(event), time(stack.peek()), "an arrow is at the slice around it");
                arrows.computeIfAbsent(event.get("id").asText(), ignored -> new ArrayList<>())
                        .add(event.get("ph").asText());
            }
            case "M" -> {
                if (event.get("name").asText().equals("thread_name")) {
                    names.put(track, event.get("args").get("name").asText());
                }
            }
            case "i" -> used.add(track);
            case "C" -> assertTrue(event.get("args").get("requests").asInt() >= 0, event::toString);
            default -> throw new AssertionError(event);
        }
    }

    private static BigDecimal time(final JsonNode event) {
        return new BigDecimal(event.get("ts").asText());
    }
}
