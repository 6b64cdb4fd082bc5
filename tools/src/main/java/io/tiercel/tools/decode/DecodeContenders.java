package io.tiercel.tools.decode;

import io.tiercel.tools.ToolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/** Who takes part: the only place that knows all contenders. None is loaded yet. */
final class DecodeContenders {

    private DecodeContenders() {
    }

    /**
     * In the order of the rows.
     *
     * @throws ToolException if a file is no model.
     */
    static List<DecodeContender> of(final List<Path> models, final NanoClock clock) {
        final List<DecodeContender> contenders = new ArrayList<>();
        for (final Path model : models) {
            if (!Files.isRegularFile(model) || !Files.isReadable(model)) {
                throw ToolException.badArgument("--model=" + model + " is not a file that can be read");
            }
            final GgufHeader header = GgufHeader.read(model);
            final String title = models.size() == 1 ? "" : model.getFileName() + ": ";
            addPeers(contenders, title, model, header, clock);
        }
        return contenders;
    }

    private static void addPeers(
            final List<DecodeContender> contenders, final String title, final Path model, final GgufHeader header,
            final NanoClock clock) {
        for (final LlamaCppCache cache : LlamaCppCache.values()) {
            contenders.add(new LlamaCppContender(title, model, header, cache, true, clock));
        }
        // Of the fast caches once more, without a message for each token: which is faster depends on the model.
        for (final LlamaCppCache cache : List.of(LlamaCppCache.F32, LlamaCppCache.F16)) {
            contenders.add(new LlamaCppContender(title, model, header, cache, false, clock));
        }
    }
}
