package io.tiercel.tools.admin;

import io.tiercel.protocol.client.ModelInfo;
import picocli.CommandLine.Option;

/** A command that is about one model. */
abstract class ModelSubcommand extends AdminSubcommand {

    @Option(names = "--model", paramLabel = "ALIAS", description = "Which model. Default: the only one.")
    private String alias;

    @Override
    final void run(final AdminSession session) {
        run(session, session.model(alias));
    }

    abstract void run(AdminSession session, ModelInfo model);
}
