package io.tiercel.tools.admin;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.AdminRequest;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.tools.ToolException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code tiercel admin route}: new sessions are split over versions. */
@Command(
        name = "route",
        description = {
            "Splits new sessions over versions of a model by weight: VERSION=PERCENT, which are 100 "
                    + "together, with up to two decimals. Which version a session comes to follows from its "
                    + "principal and key, so it never flips."
        })
public final class RouteCommand extends ModelSubcommand {

    @Parameters(paramLabel = "VERSION=PERCENT", arity = "1..16",
            description = "The first digits of a version's SHA-256, and how many of a hundred new sessions come to it.")
    private Map<String, BigDecimal> weights;

    @Override
    void run(final AdminSession session, final ModelInfo which) {
        final List<AdminRequest.Route> routes = new ArrayList<>();
        for (final Map.Entry<String, BigDecimal> weight : weights.entrySet()) {
            routes.add(new AdminRequest.Route(
                    session.version(which, weight.getKey()).version(), weightOf(weight.getValue())));
        }
        sayApplied(session.command(AdminRequest.route(which.modelId(), routes)), "route", which.alias());
    }

    private static int weightOf(final BigDecimal percent) {
        final BigDecimal weight = percent.movePointRight(2).stripTrailingZeros();
        if (weight.signum() < 0 || weight.scale() > 0 || weight.compareTo(BigDecimal.valueOf(Frames.FULL_WEIGHT)) > 0) {
            throw ToolException.badArgument("weight=" + percent + " is not from 0 to 100 with up to two decimals");
        }
        return weight.intValueExact();
    }
}
