package io.tiercel.tools.transformer;

import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.Generation;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.ToolException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntPredicate;
import org.agrona.IoUtil;
import org.agrona.concurrent.NanoClock;

/** Texts made by an appliance in this process, with a journal, told over Aeron as to any client. */
final class ApplianceContender implements TextContender {

    private static final String ALIAS = "text";
    private static final long SESSION = 1;

    private final Bundle bundle;
    private final Layout layout;
    private final int foreseenTokens;
    private final int tokenCount;
    private final IntPredicate isEnd;
    private final int[] endTokens;
    private final NanoClock clock;
    private Path directory;
    private String aeronDirectoryName;
    private Appliance appliance;
    private ApplianceText text;
    private long foreseenCount;
    private long hitCount;

    /** @param foreseenTokens as {@code foreseen-generated-tokens} of a configuration. */
    ApplianceContender(
            final Bundle bundle, final Layout layout, final int foreseenTokens, final int tokenCount,
            final int[] endTokens, final NanoClock clock) {
        this.bundle = bundle;
        this.layout = layout;
        this.foreseenTokens = foreseenTokens;
        this.tokenCount = tokenCount;
        this.endTokens = endTokens;
        this.clock = clock;
        isEnd = token -> Arrays.stream(endTokens).anyMatch(end -> end == token);
    }

    @Override
    public String name() {
        return "appliance, foreseen " + foreseenTokens;
    }

    @Override
    public void begin() {
        aeronDirectoryName = AeronConnection.directoryName("bench");
        try {
            directory = Files.createTempDirectory("tiercel-bench-");
        } catch (final IOException ex) {
            throw ToolException.environment("cannot make a directory for a journal: " + ex, ex);
        }
        appliance = Appliance.launch(new ApplianceContext()
                .layout(layout)
                .aeronDirectoryName(aeronDirectoryName)
                .journalDirectory(directory.resolve("journal"))
                .addModel(new ModelConfig(ALIAS, bundle.path()))
                .foreseenGeneratedTokens(foreseenTokens)
                .snapshotIntervalNs(0));
        text = new ApplianceText(aeronDirectoryName, bundle, SESSION);
    }

    @Override
    public TimedText make(final int[] prompt, final Sampling sampling) {
        final TimedText timed = new TimedText(clock, tokenCount);
        text.goOn(prompt, new Generation().maxTokens(tokenCount).temperature(sampling.temperature())
                .topTokens(sampling.top()).seed(sampling.seed()).stopTokens(endTokens), token -> {
                    if (!isEnd.test(token)) {
                        timed.add(token);
                    }
                });
        return timed;
    }

    @Override
    public long guessCount() {
        return foreseenCount;
    }

    @Override
    public long rightCount() {
        return hitCount;
    }

    @Override
    public void end() {
        foreseenCount += appliance.counter(CounterId.FORESEEN);
        hitCount += appliance.counter(CounterId.FORESEEN_HITS);
        text.close();
        appliance.close();
        IoUtil.delete(directory.toFile(), true);
        IoUtil.delete(new File(aeronDirectoryName), true);
    }
}
