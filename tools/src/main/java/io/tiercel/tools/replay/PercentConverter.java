package io.tiercel.tools.replay;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a share as one writes it: {@code 5%}; or {@code 0.05}. Not below 0. */
final class PercentConverter implements ITypeConverter<Double> {

    @Override
    public Double convert(final String text) {
        final boolean isPercent = text.endsWith("%");
        try {
            final double number = Double.parseDouble(isPercent ? text.substring(0, text.length() - 1) : text);
            final double share = isPercent ? number / 100 : number;
            if (share >= 0 && Double.isFinite(share)) {
                return share;
            }
        } catch (final NumberFormatException e) {
            // said below
        }
        throw new TypeConversionException("'" + text + "' is not a share such as 5% or 0.05");
    }
}
