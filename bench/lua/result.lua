-- sysbench script: one large result per event, all rows of a table that oltp_common has prepared (2 MB).
function thread_init()
   drv = sysbench.sql.driver()
   con = drv:connect()
end

function event()
   local rs = con:query("SELECT * FROM sbtest1")
   rs:free()
end

function thread_done()
   con:disconnect()
end
