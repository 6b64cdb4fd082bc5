package io.tiercel.tools.model;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** What {@code model import} has to be told of an ONNX graph, as far as the graph does not say it. */
final class OnnxImportOptions {

    /** What the graph's outputs are. */
    enum Outputs {
        /** Values, answered as they are. */
        SCORES,
        /** Scores of classes before a softmax, which is computed after the graph. */
        LOGITS,
        /** Probabilities of classes, answered as they are. */
        PROBABILITIES
    }

    @Option(names = "--window", paramLabel = "ROWS",
            description = "Rows of features that the graph is fed at once. Default: what its input's shape says.")
    Integer window;

    @Option(names = "--features", split = ",", paramLabel = "NAME",
            description = "One for each column of a row. Default: those of --normalise, or f_0, f_1, ...")
    List<String> features;

    @Option(names = "--labels", split = ",", paramLabel = "NAME",
            description = "One for each output. Default: output_0, output_1, ...")
    List<String> labels;

    @Option(names = "--normalise", paramLabel = "CSV",
            description = "Rows, as tiercel features writes them, by whose columns' means and standard deviations a "
                    + "row is normalised before the graph is fed; of split=train where there is a split column. "
                    + "Default: rows are fed as they come.")
    Path normaliseFile;

    @Option(names = "--pool", split = ",", paramLabel = "TEXT",
            description = "Columns whose names hold this text have one mean and one deviation together: price,size for "
                    + "books as DeepLOB was trained on.")
    List<String> pools = List.of();

    @Option(names = "--outputs", paramLabel = "scores|logits|probabilities",
            description = "What the outputs are: values (default); classes before a softmax, which is then computed "
                    + "after the graph; or probabilities.")
    Outputs outputs = Outputs.SCORES;

    @Option(names = "--graph-output", paramLabel = "NAME",
            description = "Which of the graph's outputs is the answer, if it has several.")
    String graphOutput;

    @Option(names = "--one-at-a-time",
            description = "Never computes several sessions' rows in one run, though the graph could.")
    boolean oneAtATime;

    @Option(names = "--absolute", paramLabel = "X",
            description = "How far an output computed again may be from the journaled one (default: 1e-5), ...")
    double absolute = 1e-5;

    @Option(names = "--relative", paramLabel = "X",
            description = "... and this part of its magnitude farther (default: 1e-4).")
    double relative = 1e-4;
}
