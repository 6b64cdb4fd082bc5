package io.tiercel.tools.kv;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.market.EventFeed;
import io.tiercel.tools.market.EventVocabulary;
import io.tiercel.tools.market.MarketFeed.Split;
import io.tiercel.tools.transformer.TokenSequences;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What is measured: the only place that knows where the default networks and their tokens lie. */
final class KvSubjects {

    static final String EVENTS = "training/fp32/lobster-events";
    static final String LOBSTER = "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip";
    static final String STORIES = "models/stories260k/stories260K.gguf";

    private static final List<String> DATA_FOLDERS = List.of("../shared/data", "../../shared/data");
    private static final List<String> TOOLS_FOLDERS = List.of("tools", ".");

    /** As the events' network was trained, and the stories' network. */
    private static final int EVENTS_CONTEXT = 256;
    private static final int STORIES_CONTEXT = 512;

    private static final int CALIBRATION_TEXTS = 20;
    /** Some 40,000 predictions: of four texts, two runs whose roundings differ are tenths of a per cent apart. */
    private static final int HELD_OUT_TEXTS = 100;
    private static final int TEXT_TOKENS = 400;
    private static final double TRAIN_SHARE = 0.7;
    /** Far from those of calibration, which count up from the plan's seed. */
    private static final long HELD_OUT_SEED = 1_000_000;
    private static final long VALIDATION_SEED = 2_000_000;
    /** Of what may be learned from, at its end: the events' network did not learn its weights from this part. */
    private static final double VALIDATION_SHARE = 0.15;

    private KvSubjects() {
    }

    /**
     * The order flow of GOOG, on its held-out tail as one stream.
     *
     * @param lobster      the sample; null to look for it.
     * @param isValidation to be judged on what may be learned from, as in all that follow: to choose by.
     * @throws ToolException with the reason if it cannot be had here.
     */
    static KvSubject events(final Path lobster, final boolean isValidation) {
        final Path folder = find(TOOLS_FOLDERS, EVENTS);
        final Path zip = lobster == null ? find(DATA_FOLDERS, LOBSTER) : lobster;
        final EventFeed feed = EventFeed.ofBook(zip, 0, EventVocabulary.read(folder.resolve("vocabulary.json")));
        final KvSubject subject = new KvSubject("lobster-events", ModelFiles.read(folder), EVENTS_CONTEXT,
                List.of(tokens(feed, Split.TRAIN)), List.of(tokens(feed, Split.HELD_OUT)),
                zip.getFileName()
                        + ": calibrated on pieces of the first 70 %, measured on the last 30 % as one stream");
        return isValidation ? validation(subject, zip) : subject;
    }

    /** The stories' network, on text that it draws itself. @throws ToolException if it cannot be had here. */
    static KvSubject stories(final long seed, final boolean isValidation) {
        return drawn(
                "stories260K", ModelFiles.read(find(DATA_FOLDERS, STORIES)), STORIES_CONTEXT, seed, isValidation);
    }

    /**
     * A network of the user's.
     *
     * @param tokens  a file as {@link TokenSequences#read} takes it; null for text that the network draws.
     * @param context tokens in reach; 0 for what the network's file says.
     */
    static KvSubject of(
            final Path path, final Path tokens, final int context, final long seed, final boolean isValidation)
            throws IOException {
        final LlamaModel model = ModelFiles.read(path);
        final int reach = context == 0 ? model.shape().contextTokens() : context;
        final String title = path.toAbsolutePath().normalize().getFileName().toString();
        if (tokens == null) {
            return drawn(title, model, reach, seed, isValidation);
        }
        final int vocabulary = model.shape().vocabularySize();
        final List<int[]> train = TokenSequences.read(tokens, model.tokenizer(), "train", vocabulary);
        final List<int[]> test = TokenSequences.read(tokens, model.tokenizer(), "test", vocabulary);
        final KvSubject subject = isSame(train, test)
                ? new KvSubject(title, model, reach, train.stream().map(each -> part(each, 0, TRAIN_SHARE)).toList(),
                        train.stream().map(each -> part(each, TRAIN_SHARE, 1)).toList(), tokens.getFileName() +
                                ": calibrated on the first 70 %, measured on the last 30 % as one stream")
                : new KvSubject(title, model, reach, train, test, tokens.getFileName() +
                        ": calibrated on the rows of split=train, measured on those of split=test, a stream each " +
                        "session");
        return isValidation ? validation(subject, tokens) : subject;
    }

    /** The last part of what is calibrated on, all sequences put together, becomes what is measured on. */
    private static KvSubject validation(final KvSubject subject, final Path tokens) {
        final long count = subject.calibration().stream().mapToLong(sequence -> sequence.length).sum();
        final long border = count - (long) (VALIDATION_SHARE * count);
        final List<int[]> calibration = new ArrayList<>();
        final List<int[]> measured = new ArrayList<>();
        long position = 0;
        for (final int[] sequence : subject.calibration()) {
            final int before = (int) Math.max(0, Math.min(sequence.length, border - position));
            if (before > 0) {
                calibration.add(Arrays.copyOf(sequence, before));
            }
            if (before < sequence.length) {
                measured.add(Arrays.copyOfRange(sequence, before, sequence.length));
            }
            position += sequence.length;
        }
        return new KvSubject(subject.title(), subject.model(), subject.context(), calibration, measured,
                tokens.getFileName() +
                        ": validation: calibrated on the first 85 % of what may be learned from, measured on the rest");
    }

    /** So it is where nothing says which part is which. */
    private static boolean isSame(final List<int[]> left, final List<int[]> right) {
        return Arrays.deepEquals(left.toArray(), right.toArray());
    }

    private static int[] part(final int[] tokens, final double from, final double to) {
        return Arrays.copyOfRange(
                tokens, (int) Math.ceil(from * tokens.length), (int) Math.ceil(to * tokens.length));
    }

    private static KvSubject drawn(
            final String title, final LlamaModel model, final int context, final long seed,
            final boolean isValidation) {
        final int length = Math.min(TEXT_TOKENS, context);
        return new KvSubject(title, model, context,
                TokenSequences.drawn(model, CALIBRATION_TEXTS, length, context, seed),
                TokenSequences.drawn(
                        model, HELD_OUT_TEXTS, length, context,
                        (isValidation ? VALIDATION_SEED : HELD_OUT_SEED) + seed),
                (isValidation ? "validation: " : "") +
                        "text that the network draws itself, calibrated and measured on texts of other seeds");
    }

    private static int[] tokens(final EventFeed feed, final Split split) {
        final int[] tokens = new int[feed.count(split)];
        int count = 0;
        for (int i = 0; i < feed.eventCount(); i++) {
            if (feed.split(i) == split) {
                tokens[count++] = feed.token(i);
            }
        }
        return tokens;
    }

    private static Path find(final List<String> folders, final String name) {
        for (final String folder : folders) {
            final Path path = Path.of(folder, name);
            if (Files.exists(path)) {
                return path;
            }
        }
        throw ToolException.environment(folders.get(0) + "/" + name + " is not there");
    }
}
