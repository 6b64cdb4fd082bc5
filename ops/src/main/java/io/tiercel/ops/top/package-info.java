/** An appliance at a glance, in a terminal: {@link io.tiercel.ops.top.TopView} draws it. */
package io.tiercel.ops.top;
