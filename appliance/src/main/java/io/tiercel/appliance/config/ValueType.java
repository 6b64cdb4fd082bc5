package io.tiercel.appliance.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;

/**
 * How the values of a key are read, printed and judged. {@link #parse} and {@link #check} refuse with an
 * {@link IllegalArgumentException} whose message completes "key=value: …".
 */
abstract class ValueType<T> {

    private static final String NAME_RULE = "of A-Z a-z 0-9 . _ -";

    private final String description;

    ValueType(final String description) {
        this.description = description;
    }

    /** For the table of keys. */
    String description() {
        return description;
    }

    /** Whether a file gives this value as a list. */
    boolean isList() {
        return false;
    }

    abstract T parse(String text);

    String print(final T value) {
        return String.valueOf(value);
    }

    void check(final T value) {
        if (value == null) {
            throw new IllegalArgumentException("must have a value");
        }
    }

    static ValueType<Integer> count(final int min, final int max) {
        return new Range<>(
                "whole number, " + min + " to " + max, min, max, SuffixedValues::parseCount, Long::toString,
                v -> (int) v);
    }

    static ValueType<Integer> intBytes(final int min, final int max) {
        return new Range<>(
                "size, " + sizes(min, max), min, max, SuffixedValues::parseBytes, SuffixedValues::formatBytes,
                v -> (int) v);
    }

    static ValueType<Long> bytes(final long min, final long max) {
        return new Range<>(
                "size, " + sizes(min, max), min, max, SuffixedValues::parseBytes, SuffixedValues::formatBytes, v -> v);
    }

    static ValueType<Long> durationNs(final long min, final long max) {
        return new Range<>(
                "duration, " + SuffixedValues.formatDuration(min) + " to " + SuffixedValues.formatDuration(max),
                min, max, SuffixedValues::parseDurationNs, SuffixedValues::formatDuration, v -> v);
    }

    static ValueType<Boolean> flag() {
        return new ValueType<>("true or false") {
            @Override
            Boolean parse(final String text) {
                if (!"true".equals(text) && !"false".equals(text)) {
                    throw new IllegalArgumentException("must be true or false");
                }
                return Boolean.valueOf(text);
            }
        };
    }

    static <E extends Enum<E>> ValueType<E> choice(final Class<E> type) {
        final List<String> names = new ArrayList<>();
        for (final E constant : type.getEnumConstants()) {
            names.add(constant.name().toLowerCase(Locale.ROOT));
        }
        return new ValueType<>(alternatives(names)) {
            @Override
            E parse(final String text) {
                final int index = names.indexOf(text);
                if (index < 0) {
                    throw new IllegalArgumentException("must be " + alternatives(names));
                }
                return type.getEnumConstants()[index];
            }

            @Override
            String print(final E value) {
                return names.get(value.ordinal());
            }
        };
    }

    static ValueType<String> oneOf(final String... choices) {
        final List<String> names = List.of(choices);
        return new Text(alternatives(names)) {
            @Override
            void check(final String value) {
                if (!names.contains(value)) {
                    throw new IllegalArgumentException("must be " + alternatives(names));
                }
            }
        };
    }

    /** What names a thing on the wire or in a file name: nothing that needs quoting anywhere. */
    static ValueType<String> name(final int maxLength) {
        final Pattern pattern = Pattern.compile("[A-Za-z0-9._-]{1," + maxLength + "}");
        return new Text("1 to " + maxLength + " " + NAME_RULE) {
            @Override
            void check(final String value) {
                if (value == null || !pattern.matcher(value).matches()) {
                    throw new IllegalArgumentException("must be " + description());
                }
            }
        };
    }

    static ValueType<String> channel() {
        return new Text("Aeron channel") {
            @Override
            void check(final String value) {
                if (value == null || !value.startsWith("aeron:")) {
                    throw new IllegalArgumentException("must be an Aeron channel, like aeron:ipc");
                }
            }
        };
    }

    static ValueType<String> directoryName() {
        return new Text("directory") {
            @Override
            String parse(final String text) {
                return path(description()).parse(text).toString();
            }
        };
    }

    static ValueType<Path> path(final String description) {
        return new ValueType<>(description) {
            @Override
            Path parse(final String text) {
                try {
                    if (text.isEmpty()) {
                        throw new IllegalArgumentException("must have a value");
                    }
                    return Path.of(text);
                } catch (final InvalidPathException ex) {
                    throw new IllegalArgumentException("is not a path: " + ex.getReason());
                }
            }
        };
    }

    /** In a property or on a command line: separated by commas. */
    static <T> ValueType<List<T>> listOf(final String description, final ValueType<T> element) {
        return new ValueType<>(description) {
            @Override
            boolean isList() {
                return true;
            }

            @Override
            List<T> parse(final String text) {
                final List<T> values = new ArrayList<>();
                for (final String part : text.split(",")) {
                    if (!part.isBlank()) {
                        values.add(element.parse(part.trim()));
                    }
                }
                return List.copyOf(values);
            }

            @Override
            String print(final List<T> value) {
                final List<String> texts = new ArrayList<>();
                for (final T each : value) {
                    texts.add(element.print(each));
                }
                return String.join(",", texts);
            }

            @Override
            void check(final List<T> value) {
                super.check(value);
                value.forEach(element::check);
            }
        };
    }

    /** Models stand in a file or in code; as one line of text there is no good way to write them. */
    static ValueType<List<ModelConfig>> models() {
        return listOf("list of `alias`, `bundle`, `backend`, `threads`, `gpu-mode`, `gpu-answer-limit`",
                new ValueType<ModelConfig>("model") {

                    private final ValueType<String> alias = name(ConfigKey.MAX_ALIAS_LENGTH);
                    private final ValueType<String> backend = name(ConfigKey.MAX_ALIAS_LENGTH);
                    private final ValueType<Integer> threads = count(1, ConfigKey.MAX_MODEL_THREADS);
                    private final ValueType<String> gpuMode = oneOf("auto", "resident", "graphs");

                    @Override
                    ModelConfig parse(final String text) {
                        throw new IllegalArgumentException("models are given in a file or in code");
                    }

                    @Override
                    void check(final ModelConfig value) {
                        super.check(value);
                        alias.check(value.alias());
                        backend.check(value.backend());
                        threads.check(value.threads());
                        gpuMode.check(value.gpuMode());
                        ModelConfig.ANSWER_LIMIT_TYPE.check(value.gpuAnswerLimitNs());
                    }
                });
    }

    private static String alternatives(final List<String> names) {
        final int last = names.size() - 1;
        return String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    private static String sizes(final long min, final long max) {
        return SuffixedValues.formatBytes(min) + " to " + SuffixedValues.formatBytes(max);
    }

    private static class Text extends ValueType<String> {

        Text(final String description) {
            super(description);
        }

        @Override
        String parse(final String text) {
            check(text);
            return text;
        }

        @Override
        void check(final String value) {
            if (value == null || value.isEmpty()) {
                throw new IllegalArgumentException("must have a value");
            }
        }
    }

    private static final class Range<N extends Number> extends ValueType<N> {

        private final long min;
        private final long max;
        private final ToLongFunction<String> parser;
        private final LongFunction<String> printer;
        private final LongFunction<N> narrowing;

        private Range(
                final String description,
                final long min,
                final long max,
                final ToLongFunction<String> parser,
                final LongFunction<String> printer,
                final LongFunction<N> narrowing) {
            super(description);
            this.min = min;
            this.max = max;
            this.parser = parser;
            this.printer = printer;
            this.narrowing = narrowing;
        }

        @Override
        N parse(final String text) {
            final String digits = text.startsWith("-") ? text.substring(1) : text;
            final long value = parser.applyAsLong(digits);
            checkRange(digits.length() < text.length() ? -value : value);
            return narrowing.apply(value);
        }

        @Override
        String print(final N value) {
            return printer.apply(value.longValue());
        }

        @Override
        void check(final N value) {
            super.check(value);
            checkRange(value.longValue());
        }

        private void checkRange(final long value) {
            if (value < min || value > max) {
                throw new IllegalArgumentException("must be " + printer.apply(min) + " to " + printer.apply(max));
            }
        }
    }
}
