/** {@code bench access}: what those inside notice while strangers knock. */
package io.tiercel.tools.access;
