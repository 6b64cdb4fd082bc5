package io.tiercel.ops.doctor;

import java.util.List;

/** Looks at one side of a host. Changes nothing. */
@FunctionalInterface
interface HostCheck {

    List<Finding> examine(HostFiles host);
}
