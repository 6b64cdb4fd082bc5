package io.tiercel.tools.model;

import io.tiercel.appliance.engine.bundle.Bundle;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tiercel model inspect}: what stands in a bundle. */
@Command(
        name = "inspect",
        description = "Show a bundle's manifest, normalisation, tensors and accuracy report.")
final class InspectCommand extends ModelSubcommand {

    @Parameters(paramLabel = "BUNDLE", description = "The bundle, a .safetensors file.")
    private Path path;

    @Option(names = "--json", description = "As JSON.")
    private boolean json;

    @Override
    void execute() throws IOException {
        final BundleReport report = new BundleReport(Bundle.open(path));
        if (json) {
            report.printJson(out());
        } else {
            report.print(out());
        }
    }
}
