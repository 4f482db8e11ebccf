"""What people read. The only room that writes files for people."""
