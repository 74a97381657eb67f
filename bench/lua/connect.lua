-- sysbench script: connect, log in, one query, quit.
function thread_init()
   drv = sysbench.sql.driver()
end

function event()
   local con = drv:connect()
   local rs = con:query("SELECT 1")
   rs:free()
   con:disconnect()
end
