/** Who may connect: principals and their keys, from files that only the appliance's user can read. */
package io.tiercel.appliance.access;
