package io.tiercel.tools;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Real data and models, which are not committed. */
public final class SharedData {

    private SharedData() {
    }

    /** A file of the shared test data; where it is absent the test is reported as not run. */
    public static Path file(final String name) {
        for (final String folder : List.of("../shared/data", "../../shared/data")) {
            final Path file = Path.of(folder, name);
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        final String reason = "not run: ../shared/data/" + name + " is not there";
        System.out.println(reason);
        Assumptions.abort(reason);
        throw new AssertionError();
    }
}
