package io.tiercel.tools;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option that says what computes a journal again. */
public final class BackendOption {

    @Option(names = "--backend", paramLabel = "NAME", defaultValue = Backends.AUTO,
            description = "Backend that computes (default: ${DEFAULT-VALUE}). All exact backends give the same bits.")
    private String name;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** @throws ParameterException if there is no backend of that name. */
    public String name() {
        final List<String> names = Backends.all().stream().map(Backend::name).toList();
        if (!Backends.AUTO.equals(name) && !names.contains(name)) {
            throw new ParameterException(spec.commandLine(),
                    "--backend=" + name + " is not one of " + Backends.AUTO + ", " + String.join(", ", names));
        }
        return name;
    }
}
