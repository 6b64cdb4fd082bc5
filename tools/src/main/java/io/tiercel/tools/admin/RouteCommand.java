package io.tiercel.tools.admin;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tiercel admin route}: new sessions are split over versions. */
@Command(
        name = "route",
        mixinStandardHelpOptions = true,
        description = {
            "Splits new sessions over versions of a model by weight: VERSION=PERCENT, which are 100 "
                    + "together, with up to two decimals. Which version a session comes to follows from its "
                    + "principal and key, so it never flips."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it has had its effect",
            "1:it was refused, and has had none",
            "2:bad arguments",
            "3:no appliance, no answer, or a file failed"
        })
public final class RouteCommand implements Callable<Integer> {

    @Mixin
    private AdminOptions options;

    @Option(names = "--model", paramLabel = "ALIAS", description = "Which model. Default: the only one.")
    private String model;

    @Parameters(paramLabel = "VERSION=PERCENT", arity = "1..16",
            description = "The first digits of a version's SHA-256, and how many of a hundred new sessions come to it.")
    private Map<String, BigDecimal> weights;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        try (AdminSession session = options.open()) {
            final ModelInfo which = session.model(model);
            final List<AdminRequest.Route> routes = new ArrayList<>();
            for (final Map.Entry<String, BigDecimal> weight : weights.entrySet()) {
                routes.add(new AdminRequest.Route(
                        session.version(which, weight.getKey()).version(), weightOf(weight.getValue())));
            }
            Applied.say(spec, session.command(AdminRequest.route(which.modelId(), routes)), "route", which.alias());
        }
        return ExitCode.OK;
    }

    private static int weightOf(final BigDecimal percent) {
        final BigDecimal weight = percent.movePointRight(2).stripTrailingZeros();
        if (weight.signum() < 0 || weight.scale() > 0 || weight.compareTo(BigDecimal.valueOf(Frames.FULL_WEIGHT)) > 0) {
            throw ToolException.badArgument("weight=" + percent + " is not from 0 to 100 with up to two decimals");
        }
        return weight.intValueExact();
    }
}
