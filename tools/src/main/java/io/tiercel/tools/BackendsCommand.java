package io.tiercel.tools;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Backends;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code tiercel backends}: what can compute models on this machine, and what cannot and why. */
@Command(
        name = "backends",
        mixinStandardHelpOptions = true,
        description = "Lists the backends: which can compute models here, and why the others cannot.")
public final class BackendsCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        System.out.print(table());
        return ExitCode.OK;
    }

    /** Every backend on the class path, the preferred first. */
    static TextTable table() {
        final TextTable table = TextTable.left("backend", "available", "detail");
        for (final Backend backend : Backends.all()) {
            final BackendProbe probe = backend.probe();
            table.row(backend.name(), probe.available() ? "yes" : "no", probe.detail());
        }
        return table;
    }
}
