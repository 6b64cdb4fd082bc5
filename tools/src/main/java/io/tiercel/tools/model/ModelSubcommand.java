package io.tiercel.tools.model;

import io.tiercel.appliance.engine.NoBackendException;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What the model commands share: failures become one line on the error stream and an exit code. */
abstract class ModelSubcommand implements Callable<Integer> {

    static final int OK = 0;
    static final int BAD_ARGUMENT = 2;
    static final int ENVIRONMENT_FAILED = 3;

    @Spec
    private CommandSpec spec;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help and exit.")
    private boolean help;

    @Override
    public final Integer call() {
        try {
            execute();
            return OK;
        } catch (final ModelInputException | BundleException ex) {
            return fail(BAD_ARGUMENT, ex.getMessage());
        } catch (final NoBackendException ex) {
            return fail(ENVIRONMENT_FAILED, ex.getMessage());
        } catch (final UncheckedIOException ex) {
            return fail(ENVIRONMENT_FAILED, ex.getCause().toString());
        } catch (final IOException ex) {
            return fail(ENVIRONMENT_FAILED, ex.toString());
        } finally {
            out().flush();
        }
    }

    /** Does the work; throws rather than returns what went wrong. */
    abstract void execute() throws IOException;

    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private int fail(final int exitCode, final String message) {
        final PrintWriter err = spec.commandLine().getErr();
        err.println(spec.qualifiedName() + ": " + message);
        err.flush();
        return exitCode;
    }
}
